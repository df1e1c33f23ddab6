// Package prompts renders what a model is asked. Each prompt is a template file in templates/, compiled into
// the program and replaceable by a file of the same name in a folder of the user's.
//
// A template file defines named blocks: "system" and "user" for a prompt, one block a language code for the
// texts of abstention. The file's other text must be empty or comment. What a template may use is View;
// anything else is an error when the file is loaded, with its line.
package prompts
