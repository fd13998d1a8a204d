Console.WriteLine("stack");
