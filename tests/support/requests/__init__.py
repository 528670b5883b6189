"""Requests to every RPC there is, made from the descriptors: good ones, the worst, random walks."""
