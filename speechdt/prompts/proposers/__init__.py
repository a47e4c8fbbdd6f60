"""Proposers: the sources of new prompts in a search.

chat_server : proposals from a server that speaks OpenAI's chat protocol.
contract : the contract of proposers of prompts.
template : proposals without a language model: new combinations of clauses, wordings and options.
writer : proposals from a language model, given the tried prompts and their scores.
"""
