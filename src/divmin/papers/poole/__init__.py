"""Items of this source, in the order of its pages."""

from divmin.papers.poole import affine as affine
from divmin.papers.poole import algorithm as algorithm
from divmin.papers.poole import architecture as architecture
from divmin.papers.poole import cifar as cifar
from divmin.papers.poole import figure_1 as figure_1
from divmin.papers.poole import ratio as ratio
from divmin.papers.poole import table_objectives as table_objectives
