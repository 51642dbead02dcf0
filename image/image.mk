# --- images and the virtual machine

IMAGER := $(PYTHON) image/imager.py
SHIPPED := out/musl/bin/coracle out/musl/bin/stage1

.PHONY: image iso disk pxe
image: $(SHIPPED) ## every image of the appliance, into out/image, and their sizes beside the budgets
	@$(IMAGER) direct iso disk pxe

iso: $(SHIPPED) ## the ISO alone, for BIOS and UEFI, CD and USB stick
	@$(IMAGER) iso

disk: $(SHIPPED) ## the image of an installed disk alone
	@$(IMAGER) disk

pxe: $(SHIPPED) ## the set for network boot alone
	@$(IMAGER) pxe

.PHONY: run console logs down
run: deps $(SHIPPED) ## one virtual machine, master and node; out/admin.kubeconfig reaches it when it is Ready
	@$(IMAGER) direct
	@$(PYTHON) image/run.py up

console: ## the serial console of that machine
	@$(PYTHON) image/run.py console

logs: ## what its console has said, SERVICE=NAME: what one service has said
	@$(PYTHON) image/run.py logs $(SERVICE)

down: ## end it in order, as its power button does
	@$(PYTHON) image/run.py down

.PHONY: run-dev
run-dev: $(SHIPPED) ## restore a machine and run the C just edited in it: TEST=tests/appliance/test_x.py
	@$(PYTHON) image/dev.py $(TEST)
