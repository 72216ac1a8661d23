import pathlib
POCKET_WEIGHTS = pathlib.Path(__file__).parent / "pocket" / "dickens.safetensors"
