"""fedlab: learn federated learning with TensorFlow Federated, in notebooks that run where you are.

`import fedlab` comes first in a notebook. It is cheap (neither TensorFlow nor TFF is imported), and
afterwards `import tensorflow_federated as tff` works as in any TFF text.
"""

from fedlab import compatibility

__version__ = "0.1.0"

compatibility.install()
