"""The classes that every installation begins with; people change their days and add others."""

from django.db import migrations

CLASSES = (("Công cộng", 30), ("Trụ sở cơ quan", 30), ("Trường học", 15), ("Tư nhân tham gia", 15))


def add_classes(apps, _schema):
    camera_class = apps.get_model("cameras", "CameraClass")
    if not camera_class.objects.exists():
        for name, days in CLASSES:
            camera_class.objects.create(name=name, retention_days=days)


class Migration(migrations.Migration):
    dependencies = [("cameras", "0002_wanted_and_in_force")]
    operations = [migrations.RunPython(add_classes, migrations.RunPython.noop)]
