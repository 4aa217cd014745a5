# SPDX-License-Identifier: GPL-2.0
# Vectors of the xhci driver at boot and after each unbind and bind, from rebind.txt in the current folder
set terminal svg size 720,400 font "sans,13" background "#ffffff"
set output "rebind.svg"
got(case, kernel) = sprintf("< awk '$2 == \"%s\" && $3 == \"%s\" { for (i = 0; i < $5; i++) print i, $(9 + i) }' rebind.txt", case, kernel)
set xlabel "times unbound and bound again"
set ylabel "MSI vectors"
set xrange [-0.2:8.2]
set yrange [0:10]
set xtics 1
set ytics 1
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside right center samplen 3 spacing 1.3
colors = "#0072b2 #d55e00 #009e73 #cc79a7"
cases = "rebind-2 rebind-4 rebind-6 rebind-8"
asked = "3 5 7 9"
plot for [i = 4:1:-1] got(word(cases, i), "patched") with linespoints lw 2 pt 7 ps 0.6 lc rgb word(colors, i) title word(asked, i)." asked, patched", \
	for [i = 4:1:-1] got(word(cases, i), "stock") with linespoints lw 2 dt 2 pt 6 ps 0.9 lc rgb word(colors, i) title word(asked, i)." asked, stock"
