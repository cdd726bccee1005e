/* SPDX-License-Identifier: MIT */
// Nothing here is needed to read the page. No left angle bracket and no ampersand: the page is also
// well-formed XML.
(function () {
	"use strict";

	function selectAll(element) {
		var range = document.createRange();
		range.selectNodeContents(element);
		var selection = window.getSelection();
		selection.removeAllRanges();
		selection.addRange(range);
	}

	// Of a page opened from a file the clipboard may be out of reach: then the lines are selected.
	function addCopy(fix) {
		var pre = fix.querySelector("pre");
		var button = document.createElement("button");
		button.type = "button";
		button.className = "copy";
		button.textContent = "Copy";
		function say(text) {
			button.textContent = text;
			setTimeout(function () { button.textContent = "Copy"; }, 1500);
		}
		button.addEventListener("click", function () {
			selectAll(pre);
			if (!navigator.clipboard) {
				say(document.execCommand("copy") ? "Copied" : "Selected");
				return;
			}
			navigator.clipboard.writeText(pre.textContent).then(
				function () { say("Copied"); },
				function () { say("Selected"); });
		});
		fix.appendChild(button);
	}

	function valueOf(row, column) {
		var cell = row.cells[column];
		if (!cell) return "";
		var number = cell.getAttribute("data-v");
		return number === null ? cell.textContent : parseFloat(number);
	}

	function compare(a, b) {
		if (typeof a === "number") if (typeof b === "number") return a - b;
		return String(a).localeCompare(String(b));
	}

	function sortBy(table, header, column) {
		var body = table.tBodies[0];
		var down = header.getAttribute("aria-sort") !== "descending";
		Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) {
			cell.removeAttribute("aria-sort");
		});
		header.setAttribute("aria-sort", down ? "descending" : "ascending");
		Array.prototype.slice.call(body.rows).sort(function (left, right) {
			var order = compare(valueOf(left, column), valueOf(right, column));
			return down ? -order : order;
		}).forEach(function (row) { body.appendChild(row); });
	}

	function addSort(table) {
		if (3 > table.tBodies[0].rows.length) return;
		Array.prototype.forEach.call(table.tHead.rows[0].cells, function (header, column) {
			var button = document.createElement("button");
			button.type = "button";
			button.textContent = header.textContent;
			button.addEventListener("click", function () { sortBy(table, header, column); });
			header.textContent = "";
			header.appendChild(button);
		});
	}

	Array.prototype.forEach.call(document.querySelectorAll(".fix"), addCopy);
	Array.prototype.forEach.call(document.querySelectorAll("table"), addSort);
})();
