"""``segprep predict``: what is read, how it is cut into tiles and averaged, what is written.

model = segprep.load_model("out/runs/train/best.pt")
mask = segprep.predict_image(model, array)
logits = model.network(tensor)             what PyTorch code wants
"""
