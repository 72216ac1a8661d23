"""What all widgets share: the base class, controls, HTML, and work in the background."""
