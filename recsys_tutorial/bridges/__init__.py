"""The same f in other people's tools: Hugging Face, Keras, DeepCTR."""
