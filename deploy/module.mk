# Installing: programs, manual pages (from the option tables, by help2man), completion, sql,
# scenarios, alert rules and dashboard, units, the user they run as, settings in /etc.
# A packager sets PREFIX=/usr, DESTDIR and perhaps UNITDIR.
DESTDIR ?=
SYSCONFDIR    ?= /etc
UNITDIR       ?= $(PREFIX)/lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
MAN_PAGES  = $(patsubst $(BUILD)/bin/%,$(BUILD)/man/%.1,$(PROGRAMS))
COMPLETION = $(BUILD)/completion/writethrough
SHARE      = $(DESTDIR)$(PREFIX)/share/writethrough
MAN        = $(DESTDIR)$(PREFIX)/share/man/man1
UNITS      = $(wildcard deploy/systemd/*.service)
SYSUSERS   = $(DESTDIR)$(PREFIX)/lib/sysusers.d/writethrough.conf
ETC        = $(DESTDIR)$(SYSCONFDIR)/writethrough
PROPERTIES = $(wildcard deploy/etc/*.properties)
NAMES      = $(notdir $(PROGRAMS))

$(BUILD)/man/%.1: $(BUILD)/bin/%
	@mkdir -p $(@D)
	help2man --no-info --section=1 --help-option=--help-all \
		--name="$$($< --help | sed -n '1s/^[^:]*: //p')" --output=$@ $<

# The programs are known when every module.mk has been read.
.SECONDEXPANSION:
man: $$(MAN_PAGES)

$(BUILD)/completion/writethrough: $$(PROGRAMS) $(wildcard deploy/completion/*)
	@mkdir -p $(@D)
	deploy/completion/generate $(PROGRAMS) >$@.new && mv $@.new $@

completion: $(BUILD)/completion/writethrough

# What stands in /etc is the administrator's: it is never overwritten.
install: all man completion
	install -d $(DESTDIR)$(PREFIX)/bin $(MAN) $(DESTDIR)$(UNITDIR) $(dir $(SYSUSERS)) \
		$(DESTDIR)$(COMPLETIONDIR) $(SHARE)/sql $(SHARE)/scenarios $(SHARE)/prometheus \
		$(SHARE)/grafana $(ETC)
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(MAN_PAGES) $(MAN)/
	install -m 644 $(COMPLETION) $(DESTDIR)$(COMPLETIONDIR)/$(firstword $(NAMES))
	for name in $(wordlist 2,9,$(NAMES)); do \
		ln -sf $(firstword $(NAMES)) $(DESTDIR)$(COMPLETIONDIR)/$$name || exit 1; \
	done
	install -m 644 sql/*.sql $(SHARE)/sql/
	install -m 644 loadgen/scenarios/*.json $(SHARE)/scenarios/
	install -m 644 deploy/prometheus/alerts.yml deploy/prometheus/prometheus.yml $(SHARE)/prometheus/
	install -m 644 deploy/grafana/writethrough.json $(SHARE)/grafana/
	install -m 644 deploy/systemd/sysusers.conf $(SYSUSERS)
	for unit in $(UNITS); do \
		sed 's|@PREFIX@|$(PREFIX)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' $$unit | \
			install -m 644 /dev/stdin $(DESTDIR)$(UNITDIR)/$${unit##*/} || exit 1; \
	done
	for file in $(PROPERTIES); do \
		[ -e $(ETC)/$${file##*/} ] || install -m 644 $$file $(ETC)/ || exit 1; \
	done

# Settings that somebody changed stay.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(NAMES)) $(addprefix $(MAN)/,$(addsuffix .1,$(NAMES))) \
		$(addprefix $(DESTDIR)$(COMPLETIONDIR)/,$(NAMES)) $(SYSUSERS) \
		$(patsubst deploy/systemd/%,$(DESTDIR)$(UNITDIR)/%,$(UNITS))
	rm -rf $(SHARE)
	for file in $(PROPERTIES); do \
		! cmp -s $$file $(ETC)/$${file##*/} || rm -f $(ETC)/$${file##*/}; \
	done
	rmdir $(ETC) 2>/dev/null || true

dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=writethrough-$(VERSION)/ \
		-o build/writethrough-$(VERSION).tar.gz HEAD
	@echo build/writethrough-$(VERSION).tar.gz

# The Debian package of what is committed, in build/deb, and what lintian says of it.
deb: dist
	rm -rf build/deb && mkdir -p build/deb
	tar -C build/deb -xf build/writethrough-$(VERSION).tar.gz
	cd build/deb/writethrough-$(VERSION) && dpkg-buildpackage -us -uc
	lintian --fail-on error,warning build/deb/*.changes
	@ls build/deb/*.deb

.PHONY: man completion install uninstall dist deb

# The Kubernetes manifests against the projects' own schemas. By hand: it needs Go, and fetches
# kubeconform and the schemas (140 MB of modules) the first time.
check-kubernetes:
	deploy/kubernetes/check $(BUILD)/kubernetes
.PHONY: check-kubernetes
