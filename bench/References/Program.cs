using Bff.Bench.References;

// The references that the gateways are compared with. Usage: <yarp|stock|composition|bytes> <port> <upstream> [redis]
var (kind, port, upstream) = (args[0], args[1], args[2]);
var builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:" + port);
builder.Logging.ClearProviders(); // Only the gateways pay for what is written per request.

var app = kind switch
{
    "yarp" => BareYarp.Build(builder, upstream),
    "stock" => StockYarp.Build(builder, upstream, args[3]),
    "composition" => HandComposition.Build(builder, upstream),
    "bytes" => SameBytes.Build(builder),
    _ => throw new ArgumentException("There is no reference called " + kind),
};
app.Run();
