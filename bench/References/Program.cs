using Bff.Bench.References;

// What the gateways are measured against. Usage: <yarp|stock|composition|bytes> <port> <upstream> [redis]
var (kind, port, upstream) = (args[0], args[1], args[2]);
var builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:" + port);
builder.Logging.ClearProviders(); // Whatever is written per request is for the gateways to pay, not for the references.

var app = kind switch
{
    "yarp" => BareYarp.Build(builder, upstream),
    "stock" => StockYarp.Build(builder, upstream, args[3]),
    "composition" => HandComposition.Build(builder, upstream),
    "bytes" => SameBytes.Build(builder),
    _ => throw new ArgumentException("There is no reference called " + kind),
};
app.Run();
