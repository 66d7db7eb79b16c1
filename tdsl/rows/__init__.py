"""Row programs: integer arithmetic on whole images, pixel by pixel, with exact value ranges."""
