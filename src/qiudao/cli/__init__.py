"""The command line: `qiudao tour`, `qiudao grad`, `qiudao check`.

Reading order: `main` (arguments, exit codes), then a file a command; `expression` is the small
language that `qiudao grad` reads.
"""
