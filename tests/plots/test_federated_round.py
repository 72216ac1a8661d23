from fedlab.plots import draw_federated_round


def test_the_picture_names_server_clients_and_the_four_steps():
    (axes,) = draw_federated_round().axes
    texts = " ".join(text.get_text() for text in axes.texts)
    assert all(name in texts for name in ("server", "Hamlet", "Juliet", "Shylock"))
    assert all(step in texts for step in "①②③④")


def test_each_client_has_an_arrow_from_and_to_the_server():
    (axes,) = draw_federated_round().axes
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None)]
    directions = [arrow.xy[1] > arrow.get_position()[1] for arrow in arrows]
    assert directions.count(True) == directions.count(False) == 3


def test_the_description_tells_the_same():
    description = draw_federated_round().description
    assert all(f"Step {number}" in description for number in (1, 2, 3, 4))
