"""Who may do what: the one place that pages, API and tickets ask.

`roles.py` says what each role allows and within which limits; `decide.py` answers for a person and a thing.
"""
