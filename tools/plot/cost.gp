# SPDX-License-Identifier: GPL-2.0
# Instructions for N vectors, and what is left of the event map, from cost.txt in the current folder
set terminal svg size 760,380 font "sans,13" background "#ffffff"
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror

table(title) = sprintf("< awk '/^# [A-Z]/ { on = index($0, \"%s\") } on && $2 ~ /^[0-9]+$/ { sub(/^# */, \"\"); print }' cost.txt", title)

set output "cost.svg"
set multiplot layout 1,2
set xlabel "N vectors"
set xrange [0:33]
set xtics 8
set yrange [0:*]
set key left top samplen 2 reverse Left
set ylabel "thousand instructions"
set title "allocated and freed through PCI MSI, ITS, GIC"
plot table("vectors, pci") using 1:(($2 + $4) / 1000) with lines lw 2 dt 2 lc rgb "#d55e00" title "stock", \
	table("vectors, pci") using 1:(($3 + $5) / 1000) with lines lw 2 lc rgb "#0072b2" title "patched"
set title "freed in the controller's domain alone"
plot table("vectors, domain") using 1:($4 / 1000) with lines lw 2 dt 2 lc rgb "#d55e00" title "stock", \
	table("vectors, domain") using 1:($5 / 1000) with lines lw 2 lc rgb "#0072b2" title "patched"
unset multiplot

set output "events.svg"
set title "An ITS device with 32 events, whose driver takes N vectors and gives them back"
set xlabel "times taken and given back"
set ylabel "events to be had, one by one"
set xrange [-0.3:16.3]
set xtics 2
set yrange [0:34]
set ytics 8
set key outside right center samplen 3 spacing 1.3
plot for [i = 1:3] table("Events left") using 1:(column(4 + i)) with linespoints lw 2 pt 7 ps 0.6 lc rgb "#0072b2" title (i == 1 ? "N = 3, 9, 17, patched" : ""), \
	for [i = 1:3] table("Events left") using 1:(column(1 + i)) with linespoints lw 2 dt 2 pt 6 ps 0.8 lc rgb word("#009e73 #cc79a7 #d55e00", i) title "N = ".word("3 9 17", i).", stock"
