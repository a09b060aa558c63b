// CrossCPU
