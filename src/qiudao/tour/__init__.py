"""The tour behind `qiudao tour`: three stops, each computed afresh and shown as it is computed.

    study.py     one derivative four ways, and what each of them costs
    reuse.py     a value used three times: the terms that its gradient sums
    digits.py    1,797 handwritten digits, packed beside it
    network.py   a network and its loss, in plain NumPy
    training.py  Adam, and the loop that trains

    guide.py     takes the tour: computes, prints, saves the pictures
    screen.py    what is printed (needs rich)
    pictures.py  what is drawn (needs matplotlib)

The first five compute and never print, so that tests and notebooks can use them as they are.
"""
