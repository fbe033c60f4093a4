"""x"""
from .process import Diffusion
from .times import *
from .rates import *
from .evolution import *
