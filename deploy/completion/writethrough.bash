#!/bin/bash
# The part of the completion that is the same for all programs; `generate` puts the tables before
# it. Bash's own means only: it also works where the package bash-completion is not installed.

# What stands for every program besides its table.
_writethrough_common='--config FILE
--print-config
--help
--help-all
--version'

_writethrough_files() { # PREFIX TEXT: files that TEXT begins, each behind PREFIX
	local file
	compopt -o filenames 2>/dev/null
	while IFS= read -r file; do
		COMPREPLY+=("$1$file")
	done < <(compgen -f -- "$2")
}

_writethrough_value() { # ARG TEXT: what may stand for ARG, as far as it is known
	local word words=()
	case $1 in
	FILE | PATH | DIR) _writethrough_files '' "$2" ;;
	'NAME|FILE')
		_writethrough_files '' "$2"
		# shellcheck disable=SC2154 # from the table
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$_writethrough_scenarios" -- "$2")
		;;
	SINK)
		case $2 in
		kafka:*) ;;
		*:*) _writethrough_files "${2%%:*}:" "${2#*:}" ;;
		*)
			compopt -o nospace 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -W 'kafka: json: csv: avro: parquet:' -- "$2")
			;;
		esac
		;;
	HOST) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") ;;
	*'|'*) # words to choose from are written small, what they stand for is not
		IFS='|' read -ra words <<<"$1"
		for word in "${words[@]}"; do
			[[ $word =~ ^[a-z][a-z0-9-]*$ && $word == "$2"* ]] && COMPREPLY+=("$word")
		done
		;;
	BOOL) mapfile -t COMPREPLY < <(compgen -W 'true false' -- "$2") ;;
	esac
}

_writethrough_argument() { # OPTION: what is its value called; BOOL for a switch; else nothing
	local option argument
	while read -r option argument; do
		[ "$option" = "$1" ] && echo "${argument:-BOOL}" && return
	done <<<"$table"$'\n'"$_writethrough_common"
}

# Words that are neither an option nor an option's value, in front of the one that is typed.
_writethrough_said() {
	local word skip=
	for word in "${typed[@]:1:${#typed[@]}-2}"; do
		if [ -n "$skip" ]; then
			skip=
		elif [[ $word == --*=* ]]; then
			:
		elif [[ $word == -* ]]; then
			[ "$(_writethrough_argument "$word")" = BOOL ] || skip=yes
		else
			echo "$word"
		fi
	done
}

_writethrough() {
	local line=${COMP_LINE:0:COMP_POINT} typed=() said=() verbs='' table='' cur prev argument i
	local breaks='' part=''
	COMPREPLY=()
	# COMP_WORDS is cut at = and :, which options' values contain.
	read -ra typed <<<"$line"
	[[ $line == *[[:space:]] ]] && typed+=('')
	_writethrough_table "${1##*/}"
	cur=${typed[-1]} prev=
	[ ${#typed[@]} -gt 2 ] && prev=${typed[-2]}
	[[ $prev == --*=* ]] || argument=$(_writethrough_argument "$prev")
	if [ -n "$argument" ] && [ "$argument" != BOOL ]; then
		_writethrough_value "$argument" "$cur"
	elif [[ $cur == --*=* ]]; then
		_writethrough_value "$(_writethrough_argument "${cur%%=*}")" "${cur#*=}"
		for i in "${!COMPREPLY[@]}"; do
			COMPREPLY[i]=${cur%%=*}=${COMPREPLY[i]}
		done
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$table"$'\n'"$_writethrough_common")" -- "$cur")
	else
		mapfile -t said < <(_writethrough_said)
		case ${said[0]-} in
		'') mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
		lines | csv | compare) _writethrough_files '' "$cur" ;;
		esac
	fi
	# Readline replaces only what is behind the last of its word breaks.
	[[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
	[[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'
	[ -n "$breaks" ] && part=${cur%"${cur##*["$breaks"]}"}
	[ -n "$part" ] && COMPREPLY=("${COMPREPLY[@]#"$part"}")
	return 0
}

