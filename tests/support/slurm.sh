#!/bin/bash
# A Slurm of one machine, for tests: slurm.sh up FOLDER [NODES] [GPUS of each] | slurm.sh down FOLDER
# Simulated nodes and GPUs, no systemd, no database; needs root, and the packages slurmctld, slurmd, slurm-client
# and munge. All it makes lies in FOLDER, but for links in /etc/slurm, which `down` removes.
set -eu
what=${1:?up or down} B=${2:?a folder} nodes=${3:-2} gpus=${4:-2}
conf=/etc/slurm
if [ "$what" = down ]; then
  for pid in "$B"/run/slurmd.*.pid "$B/run/slurmctld.pid" "$B/run/munged.pid"; do
    if [ -s "$pid" ]; then kill "$(cat "$pid")" 2> /dev/null || true; fi
  done
  for f in slurm gres cgroup; do
    if [ "$(readlink $conf/$f.conf)" = "$B/$f.conf" ]; then rm $conf/$f.conf; fi
  done
  exit
fi
if [ -e $conf/slurm.conf ] || [ -L $conf/slurm.conf ]; then
  echo "there is a $conf/slurm.conf already, which is left alone" >&2
  exit 3
fi
mkdir -p "$B"/{spool,state,log,run} $conf
chmod 755 "$B" "$B"/*
dd if=/dev/urandom of="$B/munge.key" bs=1 count=1024 status=none
chmod 400 "$B/munge.key"
munged --force --key-file="$B/munge.key" --socket="$B/run/munge.sock" --pid-file="$B/run/munged.pid" \
  --log-file="$B/log/munged.log" --seed-file="$B/run/munged.seed"
host=$(hostname -s) port=$((20000 + $$ % 5000))
cat > "$B/slurm.conf" << CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$B/run/munge.sock
CredType=cred/munge
SlurmctldPort=$port
SlurmctldPidFile=$B/run/slurmctld.pid
SlurmdPidFile=$B/run/slurmd.%n.pid
SlurmdSpoolDir=$B/spool/%n
StateSaveLocation=$B/state
SlurmctldLogFile=$B/log/slurmctld.log
SlurmdLogFile=$B/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
MinJobAge=300
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
CONF
: > "$B/gres.conf"
echo "# nothing" > "$B/cgroup.conf"
for n in $(seq 1 "$nodes"); do
  echo "NodeName=n$n NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + n)) CPUs=2 RealMemory=16000 \
Gres=gpu:$gpus State=UNKNOWN" >> "$B/slurm.conf"
  # A GPU is a device file whose last digit is the index in CUDA_VISIBLE_DEVICES: copies of /dev/null.
  for g in $(seq 0 $((gpus - 1))); do [ -c "$B/gpu$g" ] || mknod -m 666 "$B/gpu$g" c 1 3; done
  echo "NodeName=n$n Name=gpu File=$B/gpu[0-$((gpus - 1))]" >> "$B/gres.conf"
done
echo "PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE State=UP" >> "$B/slurm.conf"
# Where Slurm looks by itself: jobs do not inherit SLURM_CONF.
for f in slurm gres cgroup; do ln -sf "$B/$f.conf" $conf/$f.conf; done
unset SLURM_CONF
slurmctld -c
sleep 1
for n in $(seq 1 "$nodes"); do
  mkdir -p "$B/spool/n$n"
  slurmd -n 10 -N "n$n"
done
for _ in $(seq 30); do
  sleep 1
  if [ "$(sinfo -h -t idle -o %D 2> /dev/null)" = "$nodes" ]; then exit 0; fi
done
echo "not all nodes came up" >&2
exit 1
