"""The invented commune in the centre: its units, people, sites and cameras."""
