"""Items of this source, in the order of its pages."""

from divmin.papers.arjovsky import dcgan as dcgan
from divmin.papers.arjovsky import figure_1 as figure_1
from divmin.papers.arjovsky import figure_2 as figure_2
from divmin.papers.arjovsky import figure_3 as figure_3
from divmin.papers.arjovsky import noise as noise
