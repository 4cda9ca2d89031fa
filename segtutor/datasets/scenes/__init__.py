"""The drawn data set: pictures with perfect labels, any number of them, at any size, without a download.

``settings`` says how much of what, ``compose`` and ``places`` decide what stands where, ``living``, ``made`` and
``standing`` draw the figures, ``surfaces`` the ground and sky, ``render`` puts them together, ``scene`` annotates them.
"""

from segtutor.datasets.scenes.dataset import Scenes
from segtutor.datasets.scenes.scene import Instance, Scene
from segtutor.datasets.scenes.settings import CLASSES, KINDS

__all__ = ["CLASSES", "KINDS", "Instance", "Scene", "Scenes"]
