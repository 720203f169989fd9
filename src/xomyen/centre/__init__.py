"""The centre: people, places, cameras, and who may see what (a Django project; one app per thing people do)."""
