"""From a program to machine code, through LLVM."""
