"""Tests: folders mirror the packages; laws/ rules over the tree; e2e/ in real browsers."""
