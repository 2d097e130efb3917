"""Stacks of runs in training: what happens to replicas is recorded with their runs."""

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from micrograde.diagnostics.layers import Diagnostics
from micrograde.diagnostics.trajectory import TrajectoryKeeper
from micrograde.runs.building import (
    PreparedData,
    RandomStreams,
    build_callbacks,
    build_model,
    build_optimizer,
    build_plan,
    labels_to_learn,
    learned_classes,
)
from micrograde.runs.checkpoints import CheckpointTimer
from micrograde.runs.live_run import STOPPED, LiveRun, RunRequest
from micrograde.runs.progress import Watch
from micrograde.runs.step_history import log_steps, recorded_steps
from micrograde.runs.warm_start import WarmStart
from micrograde.store.metric_names import recorded_name
from micrograde.store.tags import REASON
from micrograde.tracking import RunRecorder
from micrograde.training import Callback, Departure, SampleSets, Snapshot, StackRunner, StepRecord, Training

Cancel = Callable[[int, int, Mapping[str, float]], bool]
"""Called with a run's place, an epoch and its metrics; returns whether to cancel the run."""


class Stack:
    """Runs that train together; ``requests`` by their index in the list given to ``train_runs``.

    ``data_of`` are the data of each, by the same index; their ``data_key`` is one. All begin with their own
    initial weights or, in the layers whose shapes are the same, with those of ``warm_start``.
    """

    def __init__(
        self,
        requests: Mapping[int, RunRequest],
        data_of: Mapping[int, PreparedData],
        recorder: RunRecorder,
        warm_start: WarmStart | None = None,
    ) -> None:
        self.requests, self._data_of, self.recorder, self._warm_start = (
            requests,
            data_of,
            recorder,
            warm_start,
        )
        self.runs: list[LiveRun] = []
        self.replicas: list[LiveRun] = []  # the runs that are trained; in the others gradients are wrong
        self.checkpoint_timer = CheckpointTimer(None)

    def start(self) -> Training | None:
        """Begin the runs, check their gradients, and return their training; None if none can be trained."""
        runs = self.runs
        for place, request in self.requests.items():
            runs.append(LiveRun.start(request, place, self._data_of[place], self.recorder))
        streams = [RandomStreams.spawn(run.config.seed) for run in runs]
        models, dtype = [run.config.model for run in runs], runs[0].config.training.dtype
        task = runs[0].task
        model = build_model(models, runs[0].data, dtype, [each.weights for each in streams], task)
        if self._warm_start:  # the weights of their own have been drawn, so that no random stream differs
            copied = self._warm_start.copy_to(model).line(self._warm_start.run)
            for run in runs:
                run.begin_with(copied)
        sound = [row for row, run in enumerate(runs) if run.take_evidence(model, row)]
        if not sound:
            return None
        model.keep_replicas(np.array(sound))
        self.replicas = [runs[row] for row in sound]
        configs = [run.config for run in self.replicas]
        if self.replicas[0].folder:
            self.checkpoint_timer = CheckpointTimer(configs[0].training.checkpoint_seconds)
        streams = [streams[row] for row in sound]
        callbacks: list[Callback] = []
        if configs[0].training.diagnostics:
            callbacks.append(Diagnostics(model))
        if any(run.request.all_pictures for run in self.replicas):
            callbacks.append(TrajectoryKeeper([run.trajectory for run in self.replicas]))
        if self.checkpoint_timer.seconds is not None:
            callbacks.append(self.checkpoint_timer)
        data_of = [run.data for run in self.replicas]
        training = SampleSets.of([data.training for data in data_of])
        validation = [data.validation for data in data_of if data.validation is not None]
        task = self.replicas[0].task.side_by_side([run.task for run in self.replicas])
        plan = build_plan(configs, len(training), task)
        in_training = Training(
            model,
            build_optimizer([config.optimizer for config in configs], model, configs[0].training.freeze),
            plan,
            training,
            SampleSets.of(validation) if validation else None,
            [each.shuffling for each in streams],
            labels_to_learn(configs, task, training, [each.label_noise for each in streams]),
            build_callbacks(configs, model, plan, callbacks),
            learned_classes(configs, data_of),
        )
        for run in self.replicas:  # a resumed run is the only one of its stack
            run.take_up(in_training)
        return in_training

    def take_steps(self, event: StepRecord, runs: Sequence[LiveRun]) -> None:
        """Record what was measured of some steps, for all runs at once; a resumed run does so by itself."""
        values = recorded_steps(event.metrics)
        if not runs[0].resumption:
            log_steps(self.recorder, [run.number for run in runs], event.steps, values)
        for row, run in enumerate(runs):
            run.take_steps(event.steps, {name: each[:, row] for name, each in values.items()})

    def keep(self, snapshot: Snapshot) -> None:
        """Write a checkpoint; a stack of several runs writes too many to wait for the disk at each."""
        cost = self.replicas[snapshot.replica].checkpoint(snapshot, durable=len(self.requests) == 1)
        self.checkpoint_timer.took(cost * len(self.requests))


def train_stacks(
    stacks: Sequence[Stack], workers: int, watch: Watch, cancel: Cancel | None, closing: threading.Event
) -> None:
    """Train all stacks, record what happens in them, and report it to ``watch``; see ``train_runs``."""
    recorder = stacks[0].recorder
    others = recorder.running
    runner = StackRunner([stack.start for stack in stacks], workers, closing)
    told: set[int] = set()

    def tell(run: LiveRun) -> None:
        told.add(run.place)
        watch.run_ended(run.place, run.status, run.last_metrics())

    try:
        for number, event in runner.run():
            stack = stacks[number]
            if isinstance(event, Departure):
                run = stack.replicas[event.replica]
                run.depart(event)
                tell(run)
                continue
            if isinstance(event, Snapshot):
                stack.keep(event)
                continue
            replicas = event.replicas.tolist()
            runs = [stack.replicas[replica] for replica in replicas]
            if isinstance(event, StepRecord):
                stack.take_steps(event, runs)
                continue
            version = runs[0].config.recipe_version
            values = {recorded_name(name, version): array.tolist() for name, array in event.metrics.items()}
            if not runs[0].resumption:  # a resumed run records what is missing by itself
                loss_first = dict(sorted(values.items(), key=lambda item: item[0] != "val/loss"))
                stack.recorder.log_stack([run.number for run in runs], event.epoch, loss_first)
            of_each = zip(*values.values(), strict=True)
            for replica, run, row in zip(replicas, runs, of_each, strict=True):
                metrics = dict(zip(values, row, strict=True))
                run.take_epoch(event.epoch, metrics)
                if cancel and cancel(run.place, event.epoch, metrics):
                    runner.cancel(number, replica)
                watch.epoch_ended(run.place, event.epoch, metrics)
    except KeyboardInterrupt:
        for number, departure in runner.leave():
            run = stacks[number].replicas[departure.replica]
            if not run.ended:
                run.kept_epoch = departure.kept_epoch
                run.end(departure.model, "KILLED", STOPPED)
                tell(run)
        # The interrupt may have come while a run was beginning, or while it was recorded at its end.
        for run in (run for stack in stacks for run in stack.runs if not run.ended):
            run.stop(STOPPED)
            tell(run)
        for unheard_of in recorder.running - others:
            recorder.set_tags(unheard_of, {REASON: STOPPED})
            recorder.end_run(unheard_of, "KILLED")
    for run in (run for stack in stacks for run in stack.runs):
        if run.ended and run.place not in told:  # its gradients were wrong
            tell(run)
