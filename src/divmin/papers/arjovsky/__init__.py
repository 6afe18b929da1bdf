"""Items of this source, in the order of its pages."""

from divmin.papers.arjovsky import annealed_noise as annealed_noise
from divmin.papers.arjovsky import dcgan as dcgan
from divmin.papers.arjovsky import figure_1 as figure_1
from divmin.papers.arjovsky import figure_2 as figure_2
from divmin.papers.arjovsky import figure_3 as figure_3
from divmin.papers.arjovsky import lemma_1 as lemma_1
from divmin.papers.arjovsky import lemmas_2_and_3 as lemmas_2_and_3
from divmin.papers.arjovsky import theorem_2_3 as theorem_2_3
from divmin.papers.arjovsky import theorem_2_4 as theorem_2_4
from divmin.papers.arjovsky import theorem_2_5 as theorem_2_5
from divmin.papers.arjovsky import theorem_2_6 as theorem_2_6
from divmin.papers.arjovsky import theorem_3_2 as theorem_3_2
from divmin.papers.arjovsky import theorem_3_3 as theorem_3_3
