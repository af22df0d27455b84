"""What the modes compose to: gradients, Jacobians, Hessians and their products."""
