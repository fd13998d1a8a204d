namespace Bff.TestKit;

/// <summary>
/// Changes the user's password constantly: 1. the server accepts the new one too; 2. the file gets it; 3. the oldest one is removed.
/// </summary>
internal sealed class RotatingRedisPassword : RedisReach
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(300);

    /// <summary>Number of valid passwords. An instance reads the file once a second, or later on a busy machine.</summary>
    private const int Accepted = 20;

    private readonly RedisServer _server;
    private readonly string _file = Path.GetTempFileName();
    private readonly Queue<string> _passwords = new();
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private bool _pauses;
    private int _number;

    private RotatingRedisPassword(RedisServer server)
    {
        _server = server;
        Rotate();
        Forget(RedisServer.FixedPassword);
        _timer = new(_ => Rotate(), null, Every, Every);
    }

    public override string ConnectionString => _server.Address + ",user=bff";

    public override IEnumerable<KeyValuePair<string, string?>> Settings => [new("State:Redis:PasswordFile", _file)];

    public static RedisServer Start() => RedisServer.RunAlone(server => new RotatingRedisPassword(server));

    public override void Pause()
    {
        lock (_lock)
        {
            _pauses = true;
        }
    }

    public override void Resume()
    {
        lock (_lock)
        {
            foreach (var password in _passwords)
            {
                Accept(password);
            }

            Forget(RedisServer.FixedPassword);
            _pauses = false;
        }
    }

    public override void Dispose()
    {
        Pause();
        _timer.Dispose();
        File.Delete(_file);
        base.Dispose();
    }

    private void Rotate()
    {
        if (!_lock.TryEnter())
        {
            return; // The previous rotation is still running.
        }

        try
        {
            if (_pauses)
            {
                return;
            }

            var password = "rotated-" + Interlocked.Increment(ref _number);
            Accept(password);
            _passwords.Enqueue(password);
            File.WriteAllText(_file + ".next", password + "\n");
            File.Move(_file + ".next", _file, overwrite: true);
            if (_passwords.Count > Accepted)
            {
                Forget(_passwords.Dequeue());
            }
        }
        catch (Exception gone) when (gone is System.Net.Sockets.SocketException or IOException)
        {
            // The next rotation tries again.
        }
        finally
        {
            _lock.Exit();
        }
    }

    private void Accept(string password) => _server.Command("ACL", "SETUSER", "bff", ">" + password);

    private void Forget(string password) => _server.Command("ACL", "SETUSER", "bff", "<" + password);
}
