coffee.png is "Coffee cup" by Rachel Michetti, courtesy of Pikolo Espresso Bar, released under CC0 1.0
(no copyright restrictions) and distributed by scikit-image; here in grey and at half its size.
