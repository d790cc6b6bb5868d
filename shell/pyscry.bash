# bash completion for pyscry: the program itself tells what may follow.
_pyscry()
{
	local cur words cword line paths=

	_get_comp_words_by_ref -n = cur words cword || return
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		$'\t'file) paths=-f ;;
		$'\t'directory) paths=-d ;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <("${words[0]/#\~/$HOME}" --complete "${words[@]:1:cword}" 2>/dev/null)
	if [[ $paths ]]; then
		compopt -o filenames
		while IFS= read -r line; do
			COMPREPLY+=("$line")
		done < <(compgen $paths -- "${cur#--*=}")
	fi
}
complete -F _pyscry pyscry
