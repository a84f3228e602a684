#!/bin/bash
# Runs of the study as jobs of a real Slurm, with two nodes of one core on this machine, in quick
# mode: a run and one that starts from its network, two more beside them, one that is killed and has
# to be sent again, and a notebook, whose page is made at the end. Needs slurmctld, slurmd, munge and root (Debian: apt-get install
# slurmctld slurmd slurm-client munge). All that it starts ends with it.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "Only root can start Slurm's daemons: run this test as root." >&2; exit 1; }
for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] ||
        { echo "$program was not found: apt-get install slurmctld slurmd slurm-client munge" >&2; exit 1; }
done
PATH=$PATH:/usr/sbin
D=$(mktemp -d)
host=$(hostname -s)
finish() {
    for file in "$D"/*.pid; do
        pid=$(cat "$file") || continue
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null && sleep 0.1 || break; done
    done
    rm -rf "$D"
}
trap finish EXIT

mkdir -m 700 "$D/munge"
mkdir "$D/state" "$D/bin"
head -c 1024 /dev/urandom > "$D/munge/key"
chmod 400 "$D/munge/key"
munged --force --socket="$D/munge/socket" --key-file="$D/munge/key" --pid-file="$D/munged.pid" \
    --log-file="$D/munge/log" --seed-file="$D/munge/seed"
export SLURM_CONF=$D/slurm.conf
cat > "$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=7817
AuthInfo=socket=$D/munge/socket
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool-%n
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd-%n.pid
SlurmctldLogFile=$D/slurmctld.log
SlurmdLogFile=$D/slurmd-%n.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=7821 CPUs=1 RealMemory=8000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=7822 CPUs=1 RealMemory=8000
PartitionName=test Nodes=ALL Default=YES State=UP
CONF
# Jobs get no SLURM_* of the shell that sends them, and look for the configuration in /etc.
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" > "$D/bin/srun"
chmod +x "$D/bin/srun"
export PATH=$D/bin:$PATH
slurmctld
slurmd -N n1
slurmd -N n2
for _ in $(seq 30); do
    [ "$(sinfo --noheader --states idle --format %D)" = 2 ] && break
    sleep 1
done
sinfo

# As report.sh does for the profile that this one stands for.
python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --requirement workflow/profiles/slurm/requirements.txt

out=outputs/slurm
rm -rf "$out"
runs=(part2-original-random-pretraining-seed3 part2-original-pretrained-few-100-seed3
    part2-original-random-few-100-seed3 part2-original-random-few-1000-seed3)
records=("${runs[@]/#/$out/results/}")
records=("${records[@]/%/.json}")
notebook=09-your-own-network # which reads no run
jobs=$((${#runs[@]} + 1))
# Ends the first job that runs.
(
    for _ in $(seq 1200); do
        job=$(squeue --noheader --states running --format %A | sort -n | head -1)
        [ -n "$job" ] && scancel "$job" && echo "$job" > "$D/killed" && break
        sleep 0.5
    done
) &
GLYPHS_QUICK=1 PROFILE=../tests/slurm workflow/report.sh "$out" full "${records[@]}" "$out/notebooks/.$notebook.page" 2>&1 | tee "$D/log"
wait "$!" || true

ls -l "${records[@]}" "$out/report/$notebook.html"
[ -s "$D/killed" ] || { echo "no job was killed" >&2; exit 1; }
grep -q "Trying to restart job" "$D/log" || { echo "the killed job was not sent again" >&2; exit 1; }
sent=$(grep -c "has been submitted with SLURM jobid" "$D/log" || true)
[ "$sent" = $((jobs + 1)) ] || { echo "$sent jobs were sent, not $((jobs + 1))" >&2; exit 1; }
grep -q "slurm_logs/rule_notebook/$notebook/" "$D/log" || { echo "the notebook was no job" >&2; exit 1; }
grep -h '"threads": 1\b' "${records[@]}" | wc -l | grep -qx ${#runs[@]} || { echo "a run had more than its core" >&2; exit 1; }
rm -rf "$out"
echo "${#runs[@]} runs and a notebook, $sent jobs, 1 of them killed and sent again"
