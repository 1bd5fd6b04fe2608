"""Put the drawings into the notebooks: python insert_drawings.py NN ... (applied once; kept in history only)."""
import subprocess, sys
from pathlib import Path
import nbformat
sys.path.insert(0, "tools")
import notebooks as N
M, C = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
# notebook -> [(beginning of the cell before, or a part of it, cells)]
PUT = {
"00": [
 ("The model has never seen you.", [M("**Predict, then run.** Three films for children are named. Which film would you put first for this person?")]),
 ("## What you just saw, in one equation", [M("How many numbers is a person for this model, and how many does it answer with? Guess, then look."),
  C("rt.drawings.composition(likes.n_items, model.feature_extractor.dim, likes.n_items)"),
  M("Read it from left to right: a long row that is nearly empty becomes a short one that is full, and that becomes an answer. The same in code:")]),
],
"01": [
 ("## The long tail", [M("**Predict, then run.** Which share of all ratings does the most rated tenth of the films hold?")]),
 ("## What popularity already gets right", [M("Is there anybody of whom the model both learns and is asked? Six made-up people, split in this way:"),
  C("rt.drawings.held_out_users()"),
  M("Nobody: a row is either learned from whole, or a part of it is shown and the hatched rest is asked.")]),
],
"02": [
 ("Pretrained, never wrong.", [M("Which parts of $f$ does each strategy touch? Guess the row of `scratch` before you look."),
  C('rt.drawings.strategies(("probe", "frozen", "full", "scratch"))'),
  M("Grey stays as pretraining left it, blue learns from the labels, and `scratch` throws all of it away.")]),
 ("ratings = data.filter_counts(per_user=5, per_item=10)", [M("The same recipes on a toy table: in which drawings is a person trained on *and* asked?"),
  C("rt.drawings.held_out_users()"), C("rt.drawings.random_holdout()"), C("rt.drawings.leave_one_out()"), C("rt.drawings.temporal()"),
  M("In all but the first. The twin at the right of `leave_one_out` (`refit=True`) trains on the second-last event too: an easier question, whose numbers stand apart.")]),
],
"03": [
 ("## 1. Two functions, one after the other", [M("Where in a drawing of $f$ would you look for $U$, and where for $W$?"),
  C('rt.drawings.composition(4, 2, 1, "one number")'),
  M("$U$ and $c$ are inside the box $g$, $W$ and $b$ inside the box $h$; what passes between them is $z$ alone.")]),
 ("## 4. Training g alone needs a decoder", [M("What could a loss compare, if there were $g$ alone?"),
  C("rt.drawings.encoder_decoder(films.n_items, 16)"),
  M("Nothing, in the upper row: the two lengths differ. The decoder of the lower row brings $z$ back to the length of $x$.")]),
],
"04": [
 ("### It breaks, once", [M("**Predict, then run.** Does that line always fail, or can it run and be wrong?")]),
 ("### Mended", [M("Where does the way back go, and what does the loss compare then?"),
  C("rt.drawings.encoder_decoder(300, 64)"),
  M("The loss of the lower row holds 300 numbers against 300; that of the upper row was the error above.")]),
],
"05": [
 ("likes = rt.load_dataset(", [M("Six of the drawings below show one real person, user 29 of notebook 01: some of the films that this person liked, oldest first."),
  C("liked = likes.catalogue.labels(likes.subset_users([29]).items)[-6:]\nprint(\"; \".join(liked))")]),
 ("## Autoencoder:", [M("What is the laziest way to answer all that is asked here?"), C("rt.drawings.autoencoder(liked)"), M("To copy: whatever is asked was shown.")]),
 ("## Denoising:", [M("Which of these answers can still be copied?"), C("rt.drawings.denoising(liked)"), M("Those that were left; a hidden film can only be told from the others.")]),
 ("## Contrastive:", [M("Is any film asked here?"), C("rt.drawings.contrastive(liked)"), M("None: the question is which two rows are one person.")]),
 ("## item2vec:", [M("What does one film have to know of the others?"), C('rt.drawings.item2vec(liked, "Toy Story (1995)")'), M("Only whether they stand near it, yes or no; a row is many small questions.")]),
 ("## Masked item:", [M("What may $g$ read when it fills a gap?"), C("rt.drawings.masked_item(liked)"), M("All that is left, before the gap and behind it.")]),
 ("## Next item:", [M("And here, for the third answer?"), C("rt.drawings.next_item(liked)"), M("The first three films and no more: nothing that comes later.")]),
],
"06": [
 ("films = rt.load_dataset(\"movielens-small\").filter_counts", [M("Which films of one such person can a head read that ten people taught?"),
  C("ten, person = shelf.take(order[:10]).behaviour, shelf.take(order[300:301]).behaviour\nsome = person.items[-6:]\nrt.drawings.overlap(shelf.behaviour.catalogue.labels(some), ten.events_per_item[some] > 0)"),
  M("Dotted: none of the ten has the film, so that the raw head holds nothing for it. $g$ has a vector for every film, from everybody.")]),
 ("## Nine strategies, by how far g moves", [M("In how many of the nine does $g$ move at all? Guess, then count the blue."),
  C("rt.drawings.strategies()"),
  M("In two it moves from where pretraining left it, and `scratch` begins anew; the other six differ only in $h$.")]),
],
"07": [
 ("## Who is simple, who is complex?", [M("**Predict, then run.** How many times as much arithmetic does a Transformer do for one user: ten, a hundred, a thousand times?")]),
],
"09": [
 ("On a command line that is", [M("**Predict, then run.** One customer is missing in the file. What share of the *other* customers' ids does pandas still get right?")]),
 ("One missing customer made", [M("The cut is today. Which cells may popularity count?"), C("rt.drawings.temporal()"),
  M("Those before the cut, in everybody's row, and none of the hatched ones: nobody has lived them yet.")]),
],
"11": [
 ("## Where to read on", [M("Where in the package does each answer live? Read the drawing from the ground up."), C("rt.drawings.house()"),
  M("Data and metrics carry the models, models carry the studies, and the notebooks stand on all of them: what you change below is felt above.")]),
],
}
def texts(cell):
    return [o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in cell.get("outputs", [])]
for name in sys.argv[1:]:
    (path,) = Path("notebooks").glob(f"{name}_*.ipynb")
    nb = N.load(path)
    before = {c.source: texts(c) for c in nb.cells if c.cell_type == "code" and "nbval-ignore-output" not in c.metadata.get("tags", [])}
    for anchor, cells in PUT[name]:
        found = [i for i, c in enumerate(nb.cells) if c.source.startswith(anchor)] or [i for i, c in enumerate(nb.cells) if anchor in c.source]
        if len(found) != 1:
            sys.exit(f"{name}: {anchor!r} is in cells {found}")
        nb.cells[found[0] + 1 : found[0] + 1] = cells
    done = N.execute(nb)[0]
    changed = [c.source[:60] for c in done.cells if c.cell_type == "code" and c.source in before and texts(c) != before[c.source]]
    print(name, "changed outputs:", changed, flush=True)
    nbformat.write(done, path)
    test = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/course/test_numbers.py", "tests/course/test_notebooks.py", "-k", path.stem], capture_output=True, text=True)
    print(test.stdout[-700:], flush=True)
    subprocess.run(["git", "commit", "-qm", f"Put drawings and a bet into notebook {name}" if name not in ("02", "05") else f"Put drawings into notebook {name}", str(path)])
