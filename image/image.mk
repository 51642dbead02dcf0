# --- images and the virtual machine

IMAGER := $(PYTHON) image/imager.py

.PHONY: image
image: out/musl/bin/coracle out/musl/bin/stage1 ## kernel, initrd and root image, into out/image
	@$(IMAGER) root
