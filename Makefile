# The commands of this project. Most begin with `make setup`, which skips what is done.
# The environment is set in workflow/env.sh, and nowhere else.
ENV := . workflow/env.sh &&

.PHONY: help setup report quick full test test-rust test-python test-checks test-faults test-slurm lab bench bench-peers bench-predict fuzz official-test verify crate publish picture clean
.NOTPARALLEL:

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make setup    everything the others need: .venv, the kernel, one build of the dependencies
setup:
	@workflow/setup.sh

## make report   all notebooks that are out of date, then outputs/report/index.html
report: setup
	@$(ENV) workflow/report.sh outputs

## make quick    the same notebooks on a small part of the data, into outputs/quick
quick: setup
	@$(ENV) GLYPHS_QUICK=1 workflow/report.sh outputs/quick

## make full     the report, with every run repeated under its seeds; with PROFILE=slurm on a cluster (cluster.md)
full: setup
	@$(ENV) PROFILE="$(PROFILE)" workflow/report.sh outputs full

## make test     formatting, lints, docs, Rust tests, doc tests, a dry run of publishing the crate, a quick run of every notebook, tests of runner and pages, exported networks and metadata in other programs
test: test-rust quick test-python test-checks

# Packed without a trial build, which would compile all dependencies again.
test-rust: setup
	@$(ENV) cargo fmt --check && cargo clippy --locked --all-targets -- -D warnings && cargo test --locked
	@$(ENV) if [ -n "$$GLYPHS_DATA" ]; then cargo test --locked --test data --test study -- --ignored the_real; \
		else echo "The tests of the real data are skipped: GLYPHS_DATA names none (once data/raw has all three: make test-rust GLYPHS_DATA=data/raw)."; fi
	@$(ENV) RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --package dfdx-conv --package glyphs
	@$(ENV) cargo publish --dry-run --locked --no-verify --allow-dirty --package dfdx-conv

test-python: setup
	@$(ENV) pytest workflow/tests

## make test-faults  kills quick runs at KILLS=50 random moments and a quick report, fills their disk, damages their files, starts them again, compares
KILLS ?= 50
test-faults: setup
	@$(ENV) glyphs --version && python workflow/faults.py $(KILLS)

# Some of the networks that it reads are written by the Rust tests.
test-checks: setup
	@$(ENV) workflow/checks/run.sh

## make test-slurm  some runs as jobs of a real Slurm on this machine, as root; needs slurmctld, slurmd and munge
test-slurm: setup
	@$(ENV) workflow/tests/slurm/run.sh

## make lab      JupyterLab with the Rust kernel; with options of its own: make lab ARGS="--port 9999"
lab: setup
	@$(ENV) cd notebooks && jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

## make bench    training steps and inference, ours and the peers that are installed, into outputs/bench.json
bench: setup
	@$(ENV) cargo bench --locked --package glyphs --profile dev --bench networks -- outputs/bench.json

## make bench-peers  installs the peers of `make bench` into bench-peers/ (some GB)
bench-peers:
	@. workflow/python.sh; python3 -m venv --clear bench-peers/.venv
	@. workflow/python.sh; bench-peers/.venv/bin/pip install --requirement bench-peers/requirements.txt
	@env -u CARGO_BUILD_TARGET -u CARGO_TARGET_DIR -u CARGO_BUILD_BUILD_DIR RUSTFLAGS=-Ctarget-cpu=native cargo build --release --locked --manifest-path bench-peers/Cargo.toml

## make bench-predict  images a second of `glyphs predict`, and of decoding alone, on the drawings
DRAWINGS ?= $(or $(GLYPHS_DATA),data/raw)/trainPart1.zip
bench-predict: setup
	@$(ENV) cargo test --locked --test data -- --ignored --nocapture decoding_alone
	@$(ENV) glyphs predict --images "$(DRAWINGS)" --out target/predictions.csv \
		--checkpoint outputs/reference/checkpoints/part1-original-random-ours-seed0.safetensors

## make fuzz     every parser on broken files, 10 minutes each; needs cargo-fuzz and a nightly Rust (fuzz/README.md)
fuzz:
	@fuzz/run.sh 600

## make official-test  the official test set of part 1, where it is there, read once by the finished networks
official-test: setup
	@$(ENV) glyphs official-test

## make verify   outputs/ compared with outputs/reference/, number by number
verify: setup
	@$(ENV) python workflow/verify.py

## make crate    records, pages and notebooks of a run as an RO-Crate, into outputs/crate
crate: setup
	@$(ENV) python workflow/crate.py

## make publish  what `make full` made becomes outputs/reference/
publish: setup
	@$(ENV) python workflow/publish.py && python workflow/readme.py && python workflow/cards.py && python workflow/picture.py

## make picture  README's picture, from the published page of notebook 2 (needs Chromium)
picture: setup
	@$(ENV) python workflow/picture.py

## make clean    what a run made (outputs/, but not outputs/reference/); keeps setup and data
clean:
	@rm -rf outputs/quick outputs/notebooks outputs/report outputs/results outputs/ensembles outputs/faults outputs/figures outputs/checkpoints outputs/own-network outputs/crate outputs/slurm outputs/certificate.md outputs/readings.json .snakemake
