# fish completion for pyscry: the program itself tells what may follow.
function __pyscry_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l current (commandline -ct)
	set -l before (string match -r -- '^--[^=]*=' $current)
	for line in (eval $words[1] --complete (string escape -- $words[2..-1]) 2>/dev/null)
		switch $line
			case \tfile
				__fish_complete_path (string replace -r -- '^--[^=]*=' '' $current)
			case \tdirectory
				__fish_complete_directories (string replace -r -- '^--[^=]*=' '' $current)
			case '*'
				echo "$before$line"
		end
	end
end
complete -c pyscry -f -k -a '(__pyscry_complete)'
