# Installing: programs, manual pages (from the option tables, by help2man), sql, scenarios, units.
DESTDIR ?=
MAN_PAGES = $(patsubst $(BUILD)/bin/%,$(BUILD)/man/%.1,$(PROGRAMS))
SHARE = $(DESTDIR)$(PREFIX)/share/writethrough
UNITS = $(wildcard deploy/systemd/*.service)

$(BUILD)/man/%.1: $(BUILD)/bin/%
	@mkdir -p $(@D)
	help2man --no-info --section=1 --help-option=--help-all \
		--name="$$($< --help | sed -n '1s/^[^:]*: //p')" --output=$@ $<

# The programs are known when every module.mk has been read.
.SECONDEXPANSION:
man: $$(MAN_PAGES)

install: all man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(SHARE)/sql $(SHARE)/scenarios
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(MAN_PAGES) $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 sql/*.sql $(SHARE)/sql/
	install -m 644 loadgen/scenarios/*.json $(SHARE)/scenarios/
	for unit in $(UNITS); do \
		sed 's|@PREFIX@|$(PREFIX)|' $$unit > \
			$(DESTDIR)$(PREFIX)/lib/systemd/system/$$(basename $$unit) || exit 1; \
	done

uninstall:
	rm -f $(patsubst $(BUILD)/bin/%,$(DESTDIR)$(PREFIX)/bin/%,$(PROGRAMS)) \
		$(patsubst $(BUILD)/man/%,$(DESTDIR)$(PREFIX)/share/man/man1/%,$(MAN_PAGES)) \
		$(patsubst deploy/systemd/%,$(DESTDIR)$(PREFIX)/lib/systemd/system/%,$(UNITS))
	rm -rf $(SHARE)

dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=writethrough-$(VERSION)/ \
		-o build/writethrough-$(VERSION).tar.gz HEAD
	@echo build/writethrough-$(VERSION).tar.gz

.PHONY: man install uninstall dist
