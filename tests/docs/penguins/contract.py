"""What one row must look like, and what its columns are for."""

from datetime import timedelta

import dataframely as dy


class Row(dy.Schema):
    """One penguin, as measured when it was caught."""

    species = dy.Enum(
        ["Adelie", "Chinstrap", "Gentoo"], description="What a look at its genes has shown since."
    )
    island = dy.Enum(["Biscoe", "Dream", "Torgersen"], description="Where it was caught.")
    bill_length_mm = dy.Float64(min=20, max=80, description="Length of the bill, in mm.")
    bill_depth_mm = dy.Float64(min=10, max=30, description="Depth of the bill, in mm.")
    flipper_length_mm = dy.Float64(min=100, max=300, description="Length of a flipper, in mm.")
    body_mass_g = dy.Float64(min=1000, max=9000, description="Weight, in g.")
    sex = dy.Enum(
        ["FEMALE", "MALE"], nullable=True, description="Missing where it could not be told."
    )


ENTITY: str | None = None
"""Every row stands alone."""

TIME: str | None = None
"""The table does not say when."""

HORIZON = timedelta(0)
"""Has no meaning without a time, but the name must be there."""

TARGET = "species"
"""What is predicted; its categories are the classes that the brief's value table prices."""

SEGMENTS = ["sex"]
"""Groups to judge one by one."""

PERSONAL: list[str] = []
"""Nothing here is about people."""

MEANT: dict[str, str] = {}
"""Features that alone give the target away, each with the reason why that is no leak."""

EXAMPLE: dict[str, object] = {
    "species": "Adelie",
    "island": "Torgersen",
    "bill_length_mm": 39.0,
    "bill_depth_mm": 18.5,
    "flipper_length_mm": 190.0,
    "body_mass_g": 3700.0,
    "sex": "FEMALE",
}
"""One row written by hand: the tests' smallest data, and the service's example request."""
