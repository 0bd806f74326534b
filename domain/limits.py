"""How long each step of an attempt may take."""

from datetime import timedelta

from domain.model import Message


class Limits(Message):
    """How long each step may take: claimed with the order, so that a running generation keeps its limits.

    Attributes:
        send_within: From the grant to the last moment at which the order may be written to the socket.
        answer_within: From the write to the provider's answer.
        look_up: How long a job is looked for after a lost answer, where the provider can list its jobs.
        job: How long a job may take from its acceptance to its end.
        cancel: How long a provider is asked to stop a job after the job's own time is over.
        heartbeat: How long a watch may be silent before another worker takes it up.
        store: How long fetching and proving the output may take, over all tries.
        retry_delay: The first wait before a retry.
    """

    send_within: timedelta = timedelta(seconds=30)
    answer_within: timedelta = timedelta(seconds=60)
    look_up: timedelta = timedelta(minutes=5)
    job: timedelta = timedelta(minutes=15)
    cancel: timedelta = timedelta(minutes=2)
    heartbeat: timedelta = timedelta(seconds=30)
    store: timedelta = timedelta(hours=1)
    retry_delay: timedelta = timedelta(seconds=30)

    @property
    def held_up(self) -> timedelta:
        """How long after the permission to send an order may still be written."""
        return self.answer_within / 2

    @property
    def may_arrive(self) -> timedelta:
        """How long after the permission to send an order may still come in and become a job."""
        return self.held_up + self.answer_within

    @property
    def submit(self) -> timedelta:
        """How long the submit activity may run: connect, write, answer, and some room for SQL."""
        return self.send_within + self.answer_within + timedelta(seconds=5)
