"""The grammar of the `.tnn` language, in `tnn.lark`."""
