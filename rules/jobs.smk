# what jobs ask of a machine

from speechdt.workflow.needs import listening_memory, model_memory, worker_memory

# Not the cores of this machine: a cluster's nodes may have fewer, and jobs would wait for ever.
THREADS = settings["jobs"]["threads"]
# Latency is measured alone: with all cores here, and on a cluster as its profile has it.
ALL_CORES = workflow.cores if workflow.local_exec else 1

run_memory, search_memory = map(model_memory, (of_run("options"), of_search("options")))
training_memory = model_memory(of_training("settings"))
check_memory = listening_memory(of_check("options"))
