"""The pixel-packed organisation: row programs -> row micro-ops.

`compile_rows` makes a whole program of a row program: tiles of an image, one pixel a column, loops
over them, what is read ahead and written behind. `predict_program` says how long a program takes
without running it.

Inside other programs (layers), `row_tile.row_tile` makes the code of one tile from a row program
and says how many bit rows it needs; `tiling.tilings` cuts an image into tiles that fit the array;
`row_tile.tile_ops` gives the micro-ops of a tile, on a free range of bit rows, of the tile that a
`places.Walk` names by loop counters. Where inputs come from and where outputs go is data:
`places.PortSource` (BANDIN), `BufferSource` (SPREAD), `PortSink` (BANDOUT), `BufferSink` (PACK).

In the order of the work: `order` (of values), `regions` (pixels around a tile), `tile_code` (values
-> steps on registers; `value_maker`, `sums`, `choices`, `pack`, `held`, `step_writer` are its
parts; `translate` comes before), `tiling`, `array_cost`, `estimate` and `overlap` (the
choice), `bit_rows` (registers -> bit rows), `image_plan`, `emit_steps`, `masks` and `image_program`
(micro-ops), `compile_rows`, `refusals`, `predict`.
"""
