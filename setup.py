"""Ships the migrations, which lie beside the package in a checkout, inside it; everything else is in setup.cfg."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["rtms_audit", "rtms_audit.*"]), "rtms_audit.migrations"],
    package_dir={"rtms_audit.migrations": "migrations"},
)
