"""Training: a configuration in, a run folder out."""

from __future__ import annotations

from divmin.training.config import TrainConfig as TrainConfig
from divmin.training.critic import TrainedCritic as TrainedCritic
from divmin.training.critic import load_critic as load_critic
from divmin.training.finite import NotFiniteError as NotFiniteError
from divmin.training.job import rehearse as rehearse
from divmin.training.judge import Judge as Judge
from divmin.training.judge import Verdict as Verdict
from divmin.training.launch import first_process as first_process
from divmin.training.metrics import Record as Record
from divmin.training.parts import losses as losses
from divmin.training.parts import parts as parts
from divmin.training.probes import Probe as Probe
from divmin.training.probes import View as View
from divmin.training.run import Run as Run
from divmin.training.sampler import Sampler as Sampler
from divmin.training.sampler import load as load
from divmin.training.start import resume as resume
from divmin.training.start import train as train
