# make help lists the targets. Every target makes the environment that it needs.
PYTHON ?= python3
PIP_ARGS ?=
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS)

.DEFAULT_GOAL := help
.PHONY: readers peers notebook help demo test coverage numpy lint types check mutate bench bench-workers bench-scale bench-compare oracles crash hostile field fuzz slow verdicts gpu build docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(VENV)/.runtime: pyproject.toml constraints.txt segprep/_deflate.h segprep/_kernel.c segprep/_kernel.h segprep/_inflate.c segprep/_pairs.c segprep/_png.c segprep/_polygons.c segprep/_signals.c
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) -e .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime
	$(PIP) -e '.[coco,dask,onnx,train,video]' --group dev
	@touch $@

$(VENV)/.training: $(VENV)/.runtime
	$(PIP) -e '.[train]'
	@touch $@

demo: $(VENV)/.training  ## run the bundled example from annotations to a verdict and scores; list the pictures to open
	$(BIN)/python examples/demo.py

test: $(VENV)/.development  ## run the test suite
	$(BIN)/python -m pytest -q -n 2

coverage: $(VENV)/.development  ## run the test suite with branch coverage and print the figure
	$(BIN)/python -m pytest -q -n 2 --cov --cov-report=term:skip-covered

numpy: $(VENV)/.development  ## run the tests of the kernel's functions without the compiled kernel
	SEGPREP_KERNEL=0 $(BIN)/python -m pytest -q -n 2 tests/test_kernel.py tests/imaging tests/metrics tests/evaluation tests/sources/test_contract.py

lint: $(VENV)/.development  ## run ruff (rules and format) and codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/.development  ## run mypy in strict mode
	$(BIN)/mypy

check: lint types test  ## lint, types and test

mutate: $(VENV)/.development  ## corrupt real and generated datasets: does check name the cause? (half an hour)
	$(BIN)/python tests/mutation/run.py

bench: $(VENV)/.development .venv-labelme/.done .venv-datumaro/.done .venv-metrics/.done  ## measure segprep against peers and floors, in one table; ARGS="--quick --only miou" for part of it
	$(BIN)/python tests/benchmarks/run.py $(ARGS)

bench-workers: $(VENV)/.development  ## compare one worker with two, on an idle machine: wall time, and the limit set by CPU time
	$(BIN)/python tests/benchmarks/run.py --only workers $(ARGS)

bench-scale: $(VENV)/.development  ## measure growth of time and memory, from LEAST=100 samples to MOST=10000, with a plot
	$(BIN)/python tests/benchmarks/scale.py $(or $(MOST),10000) --least $(or $(LEAST),100) $(if $(LEAST),,--plot docs/growth.svg)

bench-compare: $(VENV)/.development  ## compare CPU time of the working tree with a revision, REV=HEAD~1, interleaved
	$(BIN)/python tests/benchmarks/compare.py $(or $(REV),HEAD~1) $(ARGS)

.venv-labelme/.done: tests/readers/constraints/labelme.txt
	$(PYTHON) -m venv .venv-labelme
	.venv-labelme/bin/python -m pip install --quiet --disable-pip-version-check -c tests/readers/constraints/labelme.txt $(PIP_ARGS) labelme
	@QT_QPA_PLATFORM=offscreen .venv-labelme/bin/python -c "import labelme.utils" || { echo "labelme needs system libraries: apt-get install libgl1 libegl1 libglib2.0-0"; exit 1; }
	@touch $@

.venv-datumaro/.done: tests/readers/constraints/datumaro.txt
	$(PYTHON) -m venv .venv-datumaro
	.venv-datumaro/bin/python -m pip install --quiet --disable-pip-version-check -c tests/readers/constraints/datumaro.txt $(PIP_ARGS) datumaro label-studio-sdk scipy rasterio
	@touch $@

.venv-cityscapes/.done: constraints.txt
	$(PYTHON) -m venv .venv-cityscapes
	.venv-cityscapes/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) cityscapesScripts==2.3.0
	@touch $@

.venv-metrics/.done: constraints.txt
	$(PYTHON) -m venv .venv-metrics
	.venv-metrics/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) torch torchmetrics==1.9.0 cityscapesScripts==2.3.0 scikit-learn evaluate==0.4.6 split-folders==0.6.1
	.venv-metrics/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt $(PIP_ARGS) mmsegmentation==1.2.2
	@touch $@

oracles: $(VENV)/.development .venv-labelme/.done .venv-datumaro/.done .venv-cityscapes/.done .venv-metrics/.done  ## compare with labelme, Datumaro, label-studio-sdk, pycocotools, cityscapesScripts and others, in separate environments (2.6 GB)
	SEGPREP_LABELME_PYTHON=$(abspath .venv-labelme/bin/python) SEGPREP_DATUMARO_PYTHON=$(abspath .venv-datumaro/bin/python) \
		SEGPREP_CITYSCAPES_PYTHON=$(abspath .venv-cityscapes/bin/python) SEGPREP_METRICS_PYTHON=$(abspath .venv-metrics/bin/python) \
		$(BIN)/python -m pytest -q -rs tests/oracles

PEERS_PIP = .venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -c tests/readers/constraints/peers.txt $(PIP_ARGS)
.venv-peers/.done: tests/readers/constraints/peers.txt
	$(PYTHON) -m venv .venv-peers
	$(PEERS_PIP) cleanvision cleanlab torch scipy opencv-python-headless matplotlib scikit-image six
	$(PEERS_PIP) --no-deps keras-segmentation nnunetv2 batchgenerators batchgeneratorsv2 acvl-utils dynamic-network-architectures SimpleITK nibabel tifffile imagecodecs einops blosc2 numexpr msgpack ndindex httpx h11 anyio httpcore certifi idna
	@touch $@

peers: $(VENV)/.development .venv-peers/.done .venv-datumaro/.done  ## run other checkers beside segprep check: which faults do they find? (ten minutes, 2 GB)
	SEGPREP_PEERS_PYTHON=$(abspath .venv-peers/bin/python) SEGPREP_DATUMARO_PYTHON=$(abspath .venv-datumaro/bin/python) \
		$(BIN)/python tests/oracles/check_peers.py --write docs/check.md

READERS_PIP = .venv-readers/bin/python -m pip install --quiet --disable-pip-version-check -c tests/readers/constraints/readers.txt $(PIP_ARGS)
.venv-readers/.done: tests/readers/constraints/readers.txt
	$(PYTHON) -m venv .venv-readers
	$(READERS_PIP) torch numpy pillow scipy opencv-python-headless matplotlib pycocotools scikit-image
	$(READERS_PIP) mmengine prettytable ftfy regex addict datasets absl-py h5py optree namex ml_dtypes braceexpand psutil py-cpuinfo polars requests
	$(READERS_PIP) --no-deps torchvision mmsegmentation mmcv-lite keras monai webdataset ultralytics
	$(READERS_PIP) --no-deps nnunetv2 batchgenerators batchgeneratorsv2 acvl-utils dynamic-network-architectures SimpleITK nibabel tifffile imagecodecs einops blosc2 numexpr msgpack ndindex httpx h11 anyio httpcore certifi idna
	@touch $@

.venv-fiftyone/.done: tests/readers/constraints/fiftyone.txt
	$(PYTHON) -m venv .venv-fiftyone
	.venv-fiftyone/bin/python -m pip install --quiet --disable-pip-version-check -c tests/readers/constraints/fiftyone.txt $(PIP_ARGS) fiftyone
	@touch $@

PADDLE_PIP = .venv-paddle/bin/python -m pip install --quiet --disable-pip-version-check -c tests/readers/constraints/paddle.txt $(PIP_ARGS)
.venv-paddle/.done: tests/readers/constraints/paddle.txt
	$(PYTHON) -m venv .venv-paddle
	$(PADDLE_PIP) paddlepaddle opencv-python-headless pyyaml tqdm scikit-learn prettytable scipy filelock requests six pandas matplotlib
	$(PADDLE_PIP) --no-deps paddleseg
	@touch $@

readers: $(VENV)/.development .venv-readers/.done .venv-labelme/.done .venv-datumaro/.done .venv-fiftyone/.done .venv-paddle/.done  ## open every export with its intended reader, in separate environments (5 GB)
	SEGPREP_READERS=$(abspath .venv-readers/bin/python) SEGPREP_LABELME_PYTHON=$(abspath .venv-labelme/bin/python) \
		SEGPREP_DATUMARO_PYTHON=$(abspath .venv-datumaro/bin/python) SEGPREP_FIFTYONE_PYTHON=$(abspath .venv-fiftyone/bin/python) \
		SEGPREP_PADDLE_PYTHON=$(abspath .venv-paddle/bin/python) \
		$(BIN)/python tests/readers/run.py

crash: $(VENV)/.development  ## kill and fault every write of every command; fill a small disk (as root); signals, dying workers, collisions (two hours)
	$(BIN)/python tests/crash/sweep.py --pairs 30
	$(BIN)/python tests/crash/small_disk.py || [ $$? = 75 ]
	$(BIN)/python tests/crash/signals.py

field: $(VENV)/.development  ## run small inputs rebuilt from bug reports (../shared/field, or SEGPREP_FIELD): right or wrong, case by case
	$(BIN)/python tests/field/run.py

hostile: $(VENV)/.development  ## run thousands of broken and malicious inputs, watching every file access
	$(BIN)/python tests/hostile/run.py

fuzz: $(VENV)/.development  ## mutate tiny sources of every format, finished datasets, checkpoints and ONNX files (twelve minutes)
	$(BIN)/python tests/fuzz/sources.py 300
	$(BIN)/python tests/fuzz/trees.py 150
	$(BIN)/python tests/fuzz/machine.py 150
	$(BIN)/python tests/fuzz/networks.py 100

slow: $(VENV)/.development  ## run the tests that take minutes: every model at its published size
	SEGPREP_SLOW=1 $(BIN)/python -m pytest -q tests/training/test_models_full.py tests/verification tests/imaging tests/test_kernel.py

verdicts: $(VENV)/.development  ## run train-check on clean and corrupted copies of real datasets: are its verdicts right? (two hours)
	$(BIN)/python tests/verdicts/run.py

gpu: $(VENV)/.development  ## run the trainer on a GPU: precisions, resuming, nccl, labels, published sizes (eight minutes)
	$(BIN)/python tests/gpu/run.py

$(VENV)/.documents: $(VENV)/.runtime
	$(PIP) --group docs
	@touch $@

docs: $(VENV)/.documents  ## build the documentation site in site/ (works offline), including its generated pages
	$(BIN)/python docs/write.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

$(VENV)/.notebook: $(VENV)/.runtime
	$(PIP) --group notebook
	@touch $@

notebook: $(VENV)/.notebook  ## run examples/first_look.ipynb from end to end and save its output
	$(BIN)/python docs/notebook.py

build: $(VENV)/.development  ## build wheel and source archive in dist/
	$(PIP) build
	$(BIN)/python -m build

clean:  ## remove build results (not the environments)
	rm -rf build dist site *.egg-info demo .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
