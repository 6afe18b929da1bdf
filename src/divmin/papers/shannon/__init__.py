"""Items of this source, in the order of its pages."""

from divmin.papers.shannon import equation_1 as equation_1
from divmin.papers.shannon import equation_2 as equation_2
from divmin.papers.shannon import equation_35 as equation_35
from divmin.papers.shannon import equation_42 as equation_42
from divmin.papers.shannon import equation_53 as equation_53
from divmin.papers.shannon import equations_5_10 as equations_5_10
from divmin.papers.shannon import equations_20_33 as equations_20_33
from divmin.papers.shannon import equations_36_41 as equations_36_41
from divmin.papers.shannon import equations_43_52 as equations_43_52
from divmin.papers.shannon import figure_1 as figure_1
from divmin.papers.shannon import figure_2 as figure_2
from divmin.papers.shannon import figure_3 as figure_3
from divmin.papers.shannon import figure_4 as figure_4
from divmin.papers.shannon import figure_5 as figure_5
from divmin.papers.shannon import learned_pushforward as learned_pushforward
from divmin.papers.shannon import minimisers as minimisers
from divmin.papers.shannon import operations as operations
from divmin.papers.shannon import saturation as saturation
from divmin.papers.shannon import table_1 as table_1
from divmin.papers.shannon import traps as traps
