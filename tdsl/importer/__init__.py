"""ONNX files (QONNX, QCDQ) -> a graph of exact integers, its arrays, and a report."""
