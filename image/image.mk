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
