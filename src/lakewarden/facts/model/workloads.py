"""Jobs, pipelines and their tasks."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Job(
    Fact,
    table="jobs",
    place="place",
    derived={"git_ref_class": ("ref_class", "git_ref")},
    listed_by={"workspaces": {"place": "key"}},
    compared=True,
):
    """A job or a pipeline. Key: project/target/resource; a job that no bundle declares: workspace#id."""

    place: str | None = None
    """The key of a target, or the URL of a workspace."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    name: str | None = None
    """Its name, resolved."""
    kind: str | None = None
    """`job` or `pipeline`."""
    run_as_kind: str | None = None
    """`service_principal`, `user`, `group`, or `deployer` where nothing is set."""
    run_as: str | None = None
    """The user, the application id or the group; `none` for `deployer`."""
    run_as_from: str | None = None
    """Who says so: `job`, `target`, or `none`."""
    managed_by: str | None = None
    """`bundle`, `terraform`, `git_job`, `system` or `manual`."""
    creator_kind: str | None = None
    """Who created it: `service_principal` or `user`; `none` on the declared plane."""
    dirty_state: str | None = None
    """`NOT_SYNCED`, `DISCONNECTED` or `none`."""
    git_ref_kind: str | None = None
    """`branch`, `tag`, `commit`, or `none` where the job has no git_source."""
    git_ref: str | None = None
    """The branch, tag or commit; `none`."""
    development: bool | None = None
    """Is it a pipeline in development mode?"""
    is_deployment_job: bool | None = None
    """Is it a model's deployment job, or triggered by a model?"""
    max_concurrent_runs: int | None = None
    """How many runs may overlap."""
    code: str | None = None
    """The code paths of its tasks, one line each, without the deployment root: to compare planes."""
    pause_status: str | None = None
    """`PAUSED`, `UNPAUSED`, or `none` where it has no schedule."""


class JobParameter(Fact, table="job_params", parents={"job": "jobs"}):
    """A parameter at the level of the job. Key: job/name."""

    job: str
    """Key of the job."""
    name: str | None = None
    """Its name."""


class Task(Fact, table="tasks", parents={"job": "jobs", "project_key": "projects"}, references={"file": "files"}, place="place"):
    """A task of a job, or a library of a pipeline. Key: job/task."""

    job: str
    """Key of the job."""
    project_key: str
    """Key of the project; of the job where no project claims it."""
    place: str | None = None
    """The key of a target, or the URL of a workspace."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    name: str | None = None
    """Its task key."""
    kind: str | None = None
    """`notebook`, `python_file`, `python_wheel`, `sql`, `dbt`, `pipeline`, `run_job`, `condition`, `for_each`, `other`."""
    role: str | None = None
    """`training`, `validation`, `approval`, `deployment`, `inference`, `feature`, `monitor` or `other`."""
    code_path: str | None = None
    """The path of its code as declared; `none` for a task without a file."""
    code_place: str | None = None
    """`deployed` (synced with the bundle), `git` (of the job's git_source, or a Git folder known to follow a release ref and
    to be closed to people), `person`, `everyone`, `dbfs`, `workspace`, or `none`."""
    file: str | None = None
    """Key of the file in the repository that it runs."""
    max_retries: int | None = None
    """How often it is tried again."""


class TaskParameter(Fact, table="task_params", parents={"task": "tasks"}):
    """A value that a task is launched with: its own or the job's parameter, or an environment variable. Key: task/scope/name."""

    task: str
    """Key of the task."""
    holds_commit: bool | None = None
    """Does it carry the commit that was deployed?"""


class TaskLibrary(Fact, table="task_libraries", parents={"task": "tasks"}, place="place"):
    """A library, or a line of requirements, that a task installs. Key: task/ordinal."""

    task: str
    """Key of the task."""
    place: str | None = None
    """The key of a target, or the URL of a workspace."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    spec: str | None = None
    """The requirement or the path."""
    pinned: bool | None = None
    """Does it name exactly one build?"""
    path_place: str | None = None
    """`deployed`, `index` (a package index), `person`, `everyone`, `dbfs`, `volume` or `workspace`."""


class TaskUpstream(Fact, table="task_upstream", parents={"task": "tasks"}, references={"upstream": "tasks"}):
    """Closure of task dependencies: a task that comes before another. Key: task/upstream."""

    task: str
    """Key of the task that comes later."""
    upstream: str | None = None
    """Key of the task that comes before."""
    role: str | None = None
    """The upstream task's role; NULL for a condition on what another task computed."""
    must_succeed: bool | None = None
    """Does its failure keep the later task from running, on each edge between them?"""
    enforced: bool | None = None
    """FALSE where a parameter of the upstream task switches validation off (`run_mode` dry_run or disabled)."""


class JobRun(Fact, table="job_runs", listed_by={"runs": {}}):
    """A run of a job. Key: workspace/run id."""

    run_type: str | None = None
    """`JOB_RUN`, `SUBMIT_RUN` or `WORKFLOW_RUN`."""
    result_state: str | None = None
    """`SUCCESS`, `FAILED`, …"""
    run_as_kind: str | None = None
    """`service_principal`, `user` or `group`."""
    managed_by: str | None = None
    """Of its job: `bundle`, `terraform`, `git_job`, `system` or `manual`."""
    overridden: bool | None = None
    """Was a guarded parameter overridden for this run?"""
    job: str | None = None
    """Its job, workspace#id; `none` for a run of no job."""
